'use strict'

const { Inject } = require('@nestjs/common')
const { getRedlockToken } = require('./tokens')

/** A decorator for constructor parameters and properties. */
const InjectRedlock = (name) => Inject(getRedlockToken(name))

module.exports = { InjectRedlock }
