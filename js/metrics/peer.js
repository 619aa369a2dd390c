'use strict'

// Packages that only some users of this one have.

/** @returns {object} what the package exports; an error that says what to do, where it is not installed */
function requirePeer(name, wantedBy, otherwise) {
  try {
    return require(name)
  } catch (cause) {
    if (cause.code !== 'MODULE_NOT_FOUND' || !cause.message.includes(`'${name}'`)) throw cause
    const error = new Error(`${wantedBy} needs the package ${name}: run "npm install ${name}", or ${otherwise}`, {
      cause,
    })
    error.code = 'ERR_QUORLOCK_PEER_MISSING'
    throw error
  }
}

module.exports = { requirePeer }
