'use strict'

const { RedisServer } = require('../support/redis-server')
const { recipe } = require('./recipe')

recipe('redis', () => RedisServer.start())
