'use strict'

// From a final record to what the caller of acquire, tryAcquire, connect or inspect gets: a value, null, or an error.

const record = require('./record')
const { TRY } = require('./call')
const { votesFromDetail } = require('./votes')
const { inspectionsOf } = require('./snapshot')
const failure = require('./failure')
const { complain } = require('./report')

const NO_DETAIL = { attempts: 0, votes: [], inspections: [] }

/** What native code tells beside a record, once. Without its details a failure is still a failure. */
function detailOf(engine, slot) {
  try {
    return engine.takeDetail(slot) ?? NO_DETAIL
  } catch (error) {
    complain('the details of an answer could not be read', error)
    return NO_DETAIL
  }
}

/** @param {object | null} detail what native code told beside the record, where the kind has details */
function answer(call, kind, detail, settings) {
  if (kind === record.CONTENDED && call.kind === TRY) call.resolve(null)
  else if (kind === record.CONNECTED) call.resolve(undefined)
  else if (kind === record.INSPECTED) call.resolve(inspectionsOf(detail.inspections ?? [], settings.names))
  else call.resolve(failure.failWith(() => errorOf(call, kind, detail, settings)))
}

function errorOf({ key, ttl }, kind, detail, { names, native }) {
  if (kind === record.CANCELLED) return failure.closed('lock', key)
  const retryAfter = detail.retryAfter == null ? undefined : Math.ceil(detail.retryAfter)
  const told = { attempts: detail.attempts, retryAfter, votes: votesFromDetail(detail.votes, names) }
  if (kind === record.CONTENDED) return failure.contended(key, told, names.length)
  if (kind === record.UNAVAILABLE) return failure.unavailable(key, told, names.length, native.quorum)
  return failure.notConnected(ttl, told, names.length, native.quorum)
}

module.exports = { answer, detailOf }
