import 'reflect-metadata'
import { ValidationPipe } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import { AppModule } from './app.module.js'
import { database } from './database/database.js'
import { migrate } from './database/migrations.js'
import { LockRefusalFilter } from './refusals/lock-refusal.filter.js'
import { RefusalFilter } from './refusals/refusal.filter.js'
import { settings } from './settings.js'

const KEEP_ALIVE_MS = 120_000

await migrate(database)

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'], abortOnError: false })
app.setGlobalPrefix('api/v1', { exclude: ['health', 'metrics', '/'] })
app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }))
app.useGlobalFilters(new RefusalFilter(app.getHttpAdapter()), new LockRefusalFilter())
app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true })

const description = new DocumentBuilder().setTitle('Flash sale').setVersion('1').build()
SwaggerModule.setup('api/docs', app, () => SwaggerModule.createDocument(app, description), {
  jsonDocumentUrl: 'api/openapi.json',
})

await app.listen(settings.port, '127.0.0.1')
// Longer than whoever keeps connections to this process keeps them: it must not send into one that is being closed.
app.getHttpServer().keepAliveTimeout = KEEP_ALIVE_MS
const { port } = app.getHttpServer().address()
process.send?.({ port })

// Started by a launcher that is gone: nobody would stop this process any more.
if (process.send) process.once('disconnect', () => process.exit(1))
