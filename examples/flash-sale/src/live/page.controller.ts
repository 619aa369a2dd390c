import { readFile } from 'node:fs/promises'
import { Controller, Get, Header } from '@nestjs/common'
import { ApiOkResponse, ApiTags } from '@nestjs/swagger'

const FILE = new URL('../../page/index.html', import.meta.url)
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"

@ApiTags('live')
@Controller()
export class PageController {
  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', POLICY)
  @ApiOkResponse({
    description: 'a page that shows the sale as it goes',
    content: { 'text/html': { schema: { type: 'string' } } },
  })
  page() {
    return readFile(FILE, 'utf8')
  }
}
