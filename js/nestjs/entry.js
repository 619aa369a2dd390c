'use strict'

// What `quorlock/nestjs` gives, once Nest is known to be there.

const { loadNative } = require('../native')
const { requirePeer } = require('./peer')

const ENTRY = 'quorlock/nestjs'

function load() {
  loadNative()
  requirePeer('@nestjs/common', ENTRY, () => require('@nestjs/common'))
  requirePeer('@nestjs/core', ENTRY, () => require('@nestjs/core'))
  requirePeer('rxjs', ENTRY, () => require('rxjs')) // as Nest does itself
  const { getRedlockToken } = require('./tokens')
  const { InjectRedlock } = require('./inject')
  const { RedlockService } = require('./service')
  const { RedlockModule } = require('./module')
  const { WithLock } = require('./with-lock')
  const { RedlockExceptionFilter } = require('./exception-filter')
  return { RedlockModule, RedlockService, InjectRedlock, getRedlockToken, WithLock, RedlockExceptionFilter }
}

module.exports = { load }
