'use strict'

// Packages that the user installs, if this part of ours is used at all. Nothing is loaded before `load()` of an entry,
// and what is missing is said there: an ESM entry may throw it, where a CommonJS file that throws while it is imported
// ends the process in Node 20.

/** @param {() => unknown} load with a literal require(), so that bundlers see it */
function requirePeer(name, entry, load) {
  try {
    return load()
  } catch (error) {
    if (error?.code !== 'MODULE_NOT_FOUND' || !String(error.message).includes(`'${name}'`)) throw error
    const missing = new Error(`${entry} needs ${name}, which is not installed: npm install ${name}`, { cause: error })
    missing.code = 'ERR_QUORLOCK_PEER_MISSING'
    throw missing
  }
}

module.exports = { requirePeer }
