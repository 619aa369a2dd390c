import { Controller, Get, Header } from '@nestjs/common'
import { ApiOkResponse, ApiTags } from '@nestjs/swagger'
import { MetricsService } from './metrics.service.js'

@ApiTags('metrics')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: MetricsService) {}

  @Get()
  @Header('Content-Type', 'text/plain; version=0.0.4')
  @ApiOkResponse({
    description: 'the metrics of this process, as Prometheus reads them',
    content: { 'text/plain': { schema: { type: 'string' } } },
  })
  read() {
    return this.metrics.read()
  }
}
