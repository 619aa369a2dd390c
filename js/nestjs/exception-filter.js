'use strict'

// What a refused lock is in HTTP: taken is 409, and no quorum, or a service that closes, 503. Errors of the lock say
// keys and nodes, which are nothing for clients: the body has words of its own.

const { Catch } = require('@nestjs/common')
const { LockContendedError, QuorumUnavailableError, RedlockClosedError } = require('../errors')

const CONFLICT = {
  statusCode: 409,
  error: 'Conflict',
  message: 'Somebody else is working on this at the moment; try again later',
}

const UNAVAILABLE = {
  statusCode: 503,
  error: 'Service Unavailable',
  message: 'This cannot be done safely at the moment; try again later',
}

class RedlockExceptionFilter {
  catch(error, host) {
    if (host.getType() !== 'http') throw error // its transport knows better
    const response = host.switchToHttp().getResponse()
    const raw = response.raw ?? response // Fastify's stands before Node's
    if (response.sent || raw.headersSent) {
      // As Nest does: nothing can be said any more, and whoever reads it must not wait for more.
      if (!raw.writableEnded) raw.end()
      return
    }
    const body = error instanceof LockContendedError ? CONFLICT : UNAVAILABLE
    // Express and Fastify have these three in common.
    response.status(body.statusCode)
    if (error.retryAfter !== undefined) response.header('Retry-After', String(secondsOf(error.retryAfter)))
    response.send({ ...body, code: error.code })
  }
}

Catch(LockContendedError, QuorumUnavailableError, RedlockClosedError)(RedlockExceptionFilter)

/** Whole seconds, as HTTP wants them, and not 0, which says at once. */
const secondsOf = (ms) => Math.max(1, Math.ceil(ms / 1000))

module.exports = { RedlockExceptionFilter }
