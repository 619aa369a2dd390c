import type { DataSourceOptions } from 'typeorm'
import { Variant } from '../catalogue/variant.entity.js'
import { StockMovement } from '../inventory/stock-movement.entity.js'
import { Confirmation } from '../orders/confirmation.entity.js'
import { Order } from '../orders/order.entity.js'
import { settings } from '../settings.js'
import { AdjustmentKeys1760000001000 } from './adjustment-keys.js'
import { socketWithLimit } from './silence.js'
import { Tables1760000000000 } from './tables.js'

export const database: DataSourceOptions = {
  type: 'postgres',
  url: settings.databaseUrl,
  entities: [Variant, StockMovement, Order, Confirmation],
  migrations: [Tables1760000000000, AdjustmentKeys1760000001000],
  extra: {
    max: 20, // connections of this process
    connectionTimeoutMillis: 5000,
    statement_timeout: 5000,
    // A transaction of a process that was suspended in its middle keeps nobody waiting for longer than this.
    idle_in_transaction_session_timeout: 5000,
    stream: () => socketWithLimit(), // a machine that has vanished is noticed
    idleTimeoutMillis: 4000, // who is asked nothing is silent, and leaves before that is taken for an end
  },
}
