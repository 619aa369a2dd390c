import { Controller, Header, type MessageEvent, Sse } from '@nestjs/common'
import { ApiExtraModels, ApiOkResponse, ApiTags, getSchemaPath } from '@nestjs/swagger'
import { map, type Observable } from 'rxjs'
import { Live } from './live.dto.js'
import { LiveService } from './live.service.js'

@ApiTags('live')
@Controller('live')
export class LiveController {
  constructor(private readonly live: LiveService) {}

  @Sse()
  @Header('Cache-Control', 'no-store')
  @ApiExtraModels(Live)
  @ApiOkResponse({
    description: 'stock, orders, locks and nodes twice a second, as the data of server-sent events',
    content: { 'text/event-stream': { schema: { $ref: getSchemaPath(Live) } } },
  })
  changes(): Observable<MessageEvent> {
    return this.live.changes.pipe(map((data) => ({ data })))
  }
}
