import { Controller, Header, type MessageEvent, Sse } from '@nestjs/common'
import { ApiOkResponse, ApiTags } from '@nestjs/swagger'
import { map, type Observable } from 'rxjs'
import { LiveService } from './live.service.js'

@ApiTags('live')
@Controller('live')
export class LiveController {
  constructor(private readonly live: LiveService) {}

  @Sse()
  @Header('Cache-Control', 'no-store')
  @ApiOkResponse({ description: 'stock, orders, locks and nodes, as server-sent events' })
  changes(): Observable<MessageEvent> {
    return this.live.changes.pipe(map((data) => ({ data })))
  }
}
