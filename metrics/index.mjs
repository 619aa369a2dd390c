import otel from '../js/metrics/otel.js'
import prom from '../js/metrics/prom.js'

export const { observeWithProm } = prom
export const { observeWithOpenTelemetry } = otel
