import module from '../../js/nestjs/metrics/redlock-metrics.module.js'

export const { RedlockMetricsModule } = module
