// Lets a process end that clients keep connections to. `close()` of the server ends those that are idle at that moment and
// waits for all others; who gets an answer afterwards may keep the connection for minutes.

import { type BeforeApplicationShutdown, Injectable, type OnApplicationShutdown } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'

const EVERY_MS = 50

@Injectable()
export class IdleConnections implements BeforeApplicationShutdown, OnApplicationShutdown {
  private timer?: NodeJS.Timeout

  constructor(private readonly host: HttpAdapterHost) {}

  beforeApplicationShutdown() {
    const server = this.host.httpAdapter.getHttpServer()
    this.timer = setInterval(() => server.closeIdleConnections(), EVERY_MS)
  }

  /** The server has closed. */
  onApplicationShutdown() {
    clearInterval(this.timer)
  }
}
