// What Prometheus asks for: Node's own figures, the answers to orders, and the locks as this process sees them. Keys are
// no labels, since there is one per product and one per request; their kinds are.

import { Injectable } from '@nestjs/common'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { LocksService } from '../locks/locks.service.js'

@Injectable()
export class MetricsService {
  readonly registry = new Registry()
  private readonly answers = new Counter({
    name: 'flash_sale_answers_total',
    help: 'answers to POST /api/v1/orders, by status',
    labelNames: ['status'],
    registers: [this.registry],
  })

  constructor(locks: LocksService) {
    collectDefaultMetrics({ register: this.registry })
    const held = new Gauge({
      name: 'flash_sale_locks_held',
      help: 'locks this process holds, by kind',
      labelNames: ['kind'],
      registers: [this.registry],
      collect: () => {
        for (const [kind, counts] of Object.entries(locks.status().byKind)) held.set({ kind }, counts.held)
      },
    })
    const waiting: Gauge = new Gauge({
      name: 'flash_sale_locks_waiting',
      help: 'calls of this process that wait for a lock',
      registers: [this.registry],
      collect: () => void waiting.set(locks.status().waiting),
    })
    const nodes = new Gauge({
      name: 'flash_sale_lock_node_up',
      help: '1 where the node votes',
      labelNames: ['instance', 'node'],
      registers: [this.registry],
      collect: () => {
        for (const { name: instance, nodes: states } of locks.status().instances) {
          for (const { name: node, state } of states) nodes.set({ instance, node }, state === 'up' ? 1 : 0)
        }
      },
    })
  }

  answered(status: number) {
    this.answers.inc({ status: String(status) })
  }
}
