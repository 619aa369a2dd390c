// The connection by which orders are brought to the queue. It keeps nothing for later: while the queue's Redis is away, a
// call fails at once, and the sweep comes again. The worker has connections of its own, which wait.

import { Injectable, Logger, Module, type OnApplicationShutdown } from '@nestjs/common'
import { Redis } from 'ioredis'
import { settings } from '../settings.js'

@Injectable()
export class QueueConnection implements OnApplicationShutdown {
  private readonly logger = new Logger(QueueConnection.name)
  readonly client = new Redis(settings.queueUrl, { enableOfflineQueue: false, maxRetriesPerRequest: 1 })

  constructor() {
    this.client.on('error', (error) => this.logger.warn(`the queue: ${error.message}`))
  }

  get isUp() {
    return this.client.status === 'ready'
  }

  /** BullMQ leaves a connection that it was given to its owner. Nothing is asked of the server: it may not answer. */
  onApplicationShutdown() {
    this.client.disconnect()
  }
}

@Module({ providers: [QueueConnection], exports: [QueueConnection] })
export class QueueConnectionModule {}
