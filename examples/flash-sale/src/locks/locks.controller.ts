import { Controller, Get } from '@nestjs/common'
import { ApiOkResponse, ApiTags } from '@nestjs/swagger'
import { LocksService } from './locks.service.js'

@ApiTags('locks')
@Controller(['locks', 'test/locks'])
export class LocksController {
  constructor(private readonly locks: LocksService) {}

  @Get('status')
  @ApiOkResponse({ description: 'what this process holds and waits for, by kind, and the nodes as it sees them' })
  status() {
    return this.locks.status()
  }
}
