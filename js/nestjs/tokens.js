'use strict'

// What the Redlock instances are called in Nest's container.

/** @returns {string} the token of the instance of this name */
const getRedlockToken = (name = 'default') => `Redlock_${name}`

module.exports = { getRedlockToken }
