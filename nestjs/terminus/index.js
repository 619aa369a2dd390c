'use strict'

// The entry for CommonJS applications.

module.exports = require('../../js/nestjs/terminus').load()
