import { Module } from '@nestjs/common'
import { LocksModule } from '../locks/locks.module.js'
import { LiveController } from './live.controller.js'
import { LiveService } from './live.service.js'
import { PageController } from './page.controller.js'

@Module({ imports: [LocksModule], controllers: [LiveController, PageController], providers: [LiveService] })
export class LiveModule {}
