'use strict'

// What a refused lock is to a client: in HTTP taken is 409, and no quorum, or a service that closes, 503; elsewhere the
// same words, in the form of Nest's own errors there. Errors of the lock say keys and nodes, which are nothing for
// clients.

const { Catch } = require('@nestjs/common')
const { throwError } = require('rxjs')
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

/** As Nest's own filters: RPC wants a stream that fails, a gateway wants its client told, and neither expects a throw. */
class RedlockExceptionFilter {
  catch(error, host) {
    const body = error instanceof LockContendedError ? CONFLICT : UNAVAILABLE
    switch (host.getType()) {
      case 'http':
        return answer(host.switchToHttp().getResponse(), body, error)
      case 'rpc':
        return throwError(() => toldOf(body, error))
      case 'ws':
        return emit(host.switchToWs().getClient(), toldOf(body, error))
      default:
        throw error // GraphQL answers with what was thrown
    }
  }
}

/** What the filter is for. A deadlock is a mistake in the code: Nest treats it as any error that it does not know. */
const Refusal = {
  [Symbol.hasInstance](error) {
    if (error instanceof LockContendedError) return !error.reentrant
    return error instanceof QuorumUnavailableError || error instanceof RedlockClosedError
  },
}

Catch(Refusal)(RedlockExceptionFilter)

function answer(response, body, error) {
  const raw = response.raw ?? response // Fastify's stands before Node's
  if (response.sent || raw.headersSent) {
    // As Nest does: nothing can be said any more, and whoever reads it must not wait for more.
    if (!raw.writableEnded) raw.end()
    return
  }
  // Express and Fastify have these three in common.
  response.status(body.statusCode)
  if (error.retryAfter !== undefined) response.header('Retry-After', String(secondsOf(error.retryAfter)))
  response.send({ ...body, code: error.code })
}

/** Whole seconds, as HTTP wants them, and not 0, which says at once. */
const secondsOf = (ms) => Math.max(1, Math.ceil(ms / 1000))

const toldOf = ({ message }, { code }) => ({ status: 'error', message, code })

/** A client of `ws` has an `emit`, too, but hears that itself; it is told as Nest 12 tells it, in all versions. */
function emit(client, told) {
  const isWebSocket = typeof client.readyState === 'number' && typeof client.send === 'function'
  if (isWebSocket) client.send(JSON.stringify({ event: 'exception', data: told }))
  else client.emit?.('exception', told)
}

module.exports = { RedlockExceptionFilter }
