import { Controller, Get } from '@nestjs/common'
import { ApiTags } from '@nestjs/swagger'
import { HealthCheck, HealthCheckService, HealthIndicatorService, TypeOrmHealthIndicator } from '@nestjs/terminus'
import { RedlockHealthIndicator } from 'quorlock/nestjs/terminus'
import { FENCED } from '../locks/locks.js'
import { OrderQueue } from '../orders/order-queue.js'
import { within } from '../within.js'

const LIMIT_MS = 1000

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly database: TypeOrmHealthIndicator,
    private readonly locks: RedlockHealthIndicator,
    private readonly queue: OrderQueue,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([
      () => this.database.pingCheck('database', { timeout: LIMIT_MS }),
      () => this.lockNodes('locks'),
      () => this.lockNodes('fencedLocks', FENCED),
      () => this.orderQueue('queue'),
    ])
  }

  /** Without a quorum the fallback gives the locks, so orders go on: nobody should take this process out for that. */
  private async lockNodes<Key extends string>(key: Key, name?: string) {
    const found = await this.locks.isHealthy(key, { name })
    const { status, ...detail }: Record<string, unknown> = found[key]
    return status === 'down' && 'voting' in detail ? this.indicators.check(key).degraded(detail) : found
  }

  /** Orders go on without it, and wait in the database until it is back. */
  private async orderQueue<Key extends string>(key: Key) {
    try {
      await within(LIMIT_MS, 'its answer', this.queue.ping())
      return this.indicators.check(key).up()
    } catch (error) {
      return this.indicators.check(key).degraded({ message: (error as Error).message })
    }
  }
}
