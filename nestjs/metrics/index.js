'use strict'

// The metrics of an instance in a Nest application.

const { RedlockMetricsModule } = require('../../js/nestjs/metrics/redlock-metrics.module')

exports.RedlockMetricsModule = RedlockMetricsModule
