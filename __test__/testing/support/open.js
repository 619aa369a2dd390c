'use strict'

const { TestRedlock } = require('../../../testing')

/** Closed after the test. */
function open(t, options) {
  const redlock = new TestRedlock(options)
  t.after(() => redlock.close())
  return redlock
}

/** What has become of a promise so far, without waiting for it. */
function outcome(promise) {
  const seen = { state: 'pending' }
  promise.then(
    (value) => Object.assign(seen, { state: 'resolved', value }),
    (error) => Object.assign(seen, { state: 'rejected', error }),
  )
  return seen
}

module.exports = { open, outcome }
