'use strict'

// What `quorlock/nestjs/terminus` gives, once its peers are known to be there.

const { loadNative } = require('../native')
const { requirePeer } = require('./peer')

const ENTRY = 'quorlock/nestjs/terminus'

function load() {
  loadNative()
  requirePeer('@nestjs/common', ENTRY, () => require('@nestjs/common'))
  requirePeer('@nestjs/core', ENTRY, () => require('@nestjs/core'))
  const { HealthIndicatorService } = requirePeer('@nestjs/terminus', ENTRY, () => require('@nestjs/terminus'))
  if (HealthIndicatorService === undefined) {
    throw new Error(`${ENTRY} needs @nestjs/terminus 11 or later, which has the HealthIndicatorService`)
  }
  const { RedlockHealthIndicator } = require('./health')
  return { RedlockHealthIndicator }
}

module.exports = { load }
