'use strict'

// Starts an engine. Its settings have been checked: what can still fail is the start of the I/O thread, for the first
// engine of a process, where the system has no descriptors or no thread left. Native code calls that a generic failure.

const failure = require('./failure')

function startEngine(native, { native: config, names, lab }, mailbox) {
  if (lab !== null) return lab.startEngine(config, mailbox)
  try {
    return new native.Engine(config, mailbox.number)
  } catch (error) {
    if (error.code !== 'GenericFailure') throw error
    throw failure.notStarted(error.message, names)
  }
}

module.exports = { startEngine }
