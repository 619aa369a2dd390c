'use strict'

// What prom-client or OpenTelemetry is given of one or more instances. Loads neither, nor the native file.

const { observeWithProm } = require('../js/metrics/prom')
const { observeWithOpenTelemetry } = require('../js/metrics/otel')

exports.observeWithProm = observeWithProm
exports.observeWithOpenTelemetry = observeWithOpenTelemetry
