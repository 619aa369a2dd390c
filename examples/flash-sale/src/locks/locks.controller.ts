import { Controller, Get } from '@nestjs/common'
import { ApiOkResponse, ApiTags } from '@nestjs/swagger'
import { LocksStatus } from './locks.dto.js'
import { LocksService } from './locks.service.js'

@ApiTags('locks')
@Controller(['locks', 'test/locks'])
export class LocksController {
  constructor(private readonly locks: LocksService) {}

  @Get('status')
  @ApiOkResponse({
    type: LocksStatus,
    description: 'what this process holds and waits for, by kind, and the nodes as it sees them',
  })
  status(): LocksStatus {
    return this.locks.status()
  }
}
