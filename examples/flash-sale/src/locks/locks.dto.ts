import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger'
import type { NodeStats } from 'quorlock'
import type { HeldNow, WaitingNow } from './counted-locks.js'
import type { LockKind } from './locks.js'

const KINDS = ['inventory', 'orderCreation', 'custom'] satisfies LockKind[]

class Counts {
  @ApiProperty()
  held!: number

  @ApiProperty({ description: 'calls that have asked and are neither granted nor refused, whoever holds the lock' })
  waiting!: number
}

class CountsByKind implements Record<LockKind, Counts> {
  @ApiProperty()
  inventory!: Counts

  @ApiProperty()
  orderCreation!: Counts

  @ApiProperty()
  custom!: Counts
}

class RoundTrip {
  @ApiProperty({ description: 'ms' })
  p50!: number

  @ApiProperty({ description: 'ms' })
  p99!: number
}

class NodeView implements NodeStats {
  @ApiProperty()
  name!: string

  @ApiProperty({ enum: ['connecting', 'up', 'down', 'quarantined', 'closed'] })
  state!: NodeStats['state']

  @ApiPropertyOptional({ description: 'why it is not up' })
  error?: string

  @ApiProperty({ description: 'round-trip times lately' })
  rtt!: RoundTrip
}

class InstanceView {
  @ApiProperty({ example: 'default' })
  name!: string

  @ApiProperty({ description: 'whether its last lock came from the fallback' })
  degraded!: boolean

  @ApiPropertyOptional({ enum: ['closed', 'open', 'probing'] })
  breaker?: string

  @ApiProperty({ type: [NodeView] })
  nodes!: NodeView[]
}

class FallbackView {
  @ApiProperty({ description: 'connections that hold, or ask for, a lock in Postgres' })
  inUse!: number

  @ApiProperty()
  most!: number

  @ApiProperty({ description: 'calls that wait for a connection' })
  waiting!: number
}

class HeldLockView implements HeldNow {
  @ApiProperty({ enum: KINDS })
  kind!: LockKind

  @ApiProperty()
  key!: string

  @ApiProperty()
  heldForMs!: number

  @ApiProperty({ description: 'ms for which it is surely held' })
  remaining!: number

  @ApiProperty({ description: 'whether the fallback has given it' })
  degraded!: boolean

  @ApiProperty({ description: 'calls of this process that wait for it' })
  waiting!: number
}

class WaitView implements WaitingNow {
  @ApiProperty({ enum: KINDS })
  kind!: LockKind

  @ApiProperty()
  key!: string

  @ApiProperty()
  waiting!: number
}

/** Each process knows its own locks only, be they of the nodes or of the fallback. */
export class LocksStatus {
  @ApiProperty({ description: 'the process that answers' })
  pid!: number

  @ApiProperty()
  held!: number

  @ApiProperty()
  waiting!: number

  @ApiProperty({ description: 'locks of the nodes that were lost since the process has started' })
  lost!: number

  @ApiProperty()
  byKind!: CountsByKind

  @ApiProperty({ description: 'whether an instance has had its last lock from the fallback' })
  degraded!: boolean

  @ApiProperty({ type: [InstanceView] })
  instances!: InstanceView[]

  @ApiProperty()
  fallback!: FallbackView

  @ApiProperty({ type: [HeldLockView] })
  locks!: HeldLockView[]

  @ApiProperty({ type: [WaitView], description: 'what is waited for, also where another process holds it' })
  waits!: WaitView[]
}
