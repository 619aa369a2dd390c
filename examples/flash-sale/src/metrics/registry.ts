import { collectDefaultMetrics, Registry } from 'prom-client'

/** Of this application alone: Node's own figures, the locks' and the answers'. */
export const registry = new Registry()
collectDefaultMetrics({ register: registry })
