'use strict'

// The injection tokens. Strings, so that several copies of this package in one application agree on them.

const DEFAULT_NAME = 'default'

/** Behind it stands the Redlock of that name. */
const getRedlockToken = (name = DEFAULT_NAME) => `Redlock_${name}`

const optionsToken = (name) => `RedlockOptions_${name}`

const factoryToken = (name) => `RedlockOptionsFactory_${name}`

const keeperToken = (name) => `RedlockKeeper_${name}`

module.exports = { DEFAULT_NAME, getRedlockToken, optionsToken, factoryToken, keeperToken }
