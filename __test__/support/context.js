'use strict'

// A section of withLock marks its async context, so that asking again for its key is refused as a deadlock. A test
// that lets "somebody else" ask while it runs inside such a section has to leave that context first.

const { AsyncResource } = require('node:async_hooks')

const outermost = new AsyncResource('test')

/** Calls `fn` in the context in which this file was loaded. */
const outside = (fn) => outermost.runInAsyncScope(fn)

module.exports = { outside }
