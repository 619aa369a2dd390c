'use strict'

require('./support/suite').suite(10)
