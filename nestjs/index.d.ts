/// <reference types="node" />

// `quorlock/nestjs`: the locks of this package for NestJS 10, 11 and 12. Nest is a peer: `@nestjs/common` and
// `@nestjs/core` are those of your application. docs/nestjs.md has recipes.

import type { ArgumentsHost, DynamicModule, LoggerService } from '@nestjs/common' with { 'resolution-mode': 'import' }
import type { LockError, Redlock, RedlockOptions, WithLockOptions } from '../index.js'

/** The options of the Redlock, and what Nest adds to them. */
export interface RedlockSettings extends RedlockOptions {
  /**
   * How long running sections may take to finish when the application shuts down, from when this module closes: an integer of
   * at least 0. Then what they hold is released, and their signals abort. What ends before this module may wait for them
   * without a limit, as TypeORM does for its pool: a fallback on Postgres has a pool of its own. @default 5000
   */
  shutdownTimeout?: number | undefined
  /**
   * Where it is said that a node is down or up again (`warn`, `log`: one line per change), that a lock was lost (`warn`),
   * and that a call had to wait, also in vain (`debug`: a second round, or 50 ms). Called with the text and the context.
   * `false` says nothing. @default Nest's `Logger` with the context `Redlock`, or `Redlock:<name>`
   */
  logger?: LoggerService | false | undefined
}

/** What decides who may have the instance. */
export interface RedlockModuleShape {
  /** One application may have several instances, each with a name. @default 'default' */
  name?: string | undefined
  /** Whether every module may inject it without importing the module. @default false */
  isGlobal?: boolean | undefined
}

export interface RedlockModuleOptions extends RedlockSettings, RedlockModuleShape {}

/** Makes the options, for `useClass` and `useExisting`. */
export interface RedlockOptionsFactory {
  createRedlockOptions(name: string): RedlockSettings | Promise<RedlockSettings>
}

/** One of `useFactory`, `useClass` and `useExisting`. */
export interface RedlockModuleAsyncOptions extends RedlockModuleShape {
  /** Modules whose exported providers the factory needs. */
  imports?: DynamicModule['imports']
  /** What `useFactory` is called with. */
  // biome-ignore lint/suspicious/noExplicitAny: as Nest has it
  inject?: any[] | undefined
  // biome-ignore lint/suspicious/noExplicitAny: what is injected has any type
  useFactory?: ((...args: any[]) => RedlockSettings | Promise<RedlockSettings>) | undefined
  // biome-ignore lint/suspicious/noExplicitAny: Nest knows what its constructor needs
  useClass?: (new (...args: any[]) => RedlockOptionsFactory) | undefined
  // biome-ignore lint/suspicious/noExplicitAny: a token
  useExisting?: any
  /** Providers beside these, for the factory. */
  extraProviders?: DynamicModule['providers']
}

/**
 * Makes a {@link Redlock}, gives it to whoever injects it, and closes it with the application.
 *
 * ```ts
 * @Module({
 *   imports: [RedlockModule.forRoot({ isGlobal: true, nodes: ['redis://r1:6379', 'redis://r2:6379', 'redis://r3:6379'] })],
 * })
 * export class AppModule {}
 * ```
 *
 * Import it once for each name, right after the database. It connects in the background: the application starts also while
 * its nodes are down.
 *
 * Shutting down (`app.close()`, or a signal after `app.enableShutdownHooks()`): `beforeApplicationShutdown` refuses new
 * locks and lets those go that wait, with `RedlockClosedError`; `onApplicationShutdown` waits for running sections up to
 * `shutdownTimeout`, releases what is left, and closes. In Nest 11 and 12, global and imported right after the (global) modules
 * that sections need, it ends when the workers have ended, and before those. In Nest 10 databases end before that, wherever it is
 * imported: pause workers in `onModuleDestroy` there, see `docs/nestjs.md`.
 */
// biome-ignore lint/complexity/noStaticOnlyClass: a Nest module is one
export class RedlockModule {
  /** @throws {TypeError | RangeError} for bad options of the module; those of the Redlock are refused when Nest makes it */
  static forRoot(options: RedlockModuleOptions): DynamicModule
  /** @throws {TypeError | RangeError} unless exactly one of `useFactory`, `useClass` and `useExisting` is given */
  static forRootAsync(options: RedlockModuleAsyncOptions): DynamicModule
}

/**
 * The default instance, as a class to inject. The same object as `@InjectRedlock()` gives.
 *
 * @template Fencing the type of the option `fencing`: `RedlockService<true>` where it is true
 */
export class RedlockService<Fencing extends boolean = false> extends Redlock<Fencing> {}

/** Injects the instance of that name, which is a {@link Redlock}. @param name @default 'default' */
export function InjectRedlock(name?: string): PropertyDecorator & ParameterDecorator

/**
 * The injection token of the instance of that name, for `inject` and `overrideProvider`. To override the default instance
 * for all, override {@link RedlockService}: who injects that one does not ask for the token.
 *
 * @param name @default 'default'
 */
export function getRedlockToken(name?: string): string

/** What is locked: a key, or several, all or none. */
export type LockKey = string | readonly string[]

export interface WithLockDecoratorOptions<Contended extends 'throw' | 'skip' = 'throw' | 'skip'>
  extends Omit<WithLockOptions, 'signal'> {
  /** How long the nodes keep the lock without renewal: an integer from 10 to the instance's `maxTtl`. It is renewed. */
  ttl: number
  /** Which instance locks. @default 'default' */
  name?: string | undefined
  /**
   * What a call comes to that did not get the lock within its wait, since others held it: a `LockContendedError`, or
   * nothing: the method is not called, and the call resolves with undefined. No quorum is an error in any case, and so are a
   * wait that ended before any node had refused, a lock that had run out before the method could begin, as where the event loop
   * was blocked, and the shutdown of the application, a `RedlockClosedError`: what nobody else is at must not seem to be done.
   *
   * Handlers of `@OnWorkerEvent` and `@OnQueueEvent`, also of Bull (`@OnQueueCompleted` and the like), are left out during a
   * shutdown, since nobody would catch what they reject with, and the process would end; with 'throw' a process warning
   * (`QUORLOCK_LEFT_OUT`) says so. @default 'throw'
   */
  whenContended?: Contended | undefined
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the method takes
type AnyMethod = (...args: any[]) => PromiseLike<unknown>

/** Nothing, where key function, method and options go together; else a text that the compiler shows. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the method takes
type Fits<Args extends any[], Contended, Method extends AnyMethod> = ((...args: Args) => void) extends (
  ...args: Parameters<Method>
) => void
  ? 'skip' extends Contended
    ? undefined extends Awaited<ReturnType<Method>>
      ? unknown
      : "with whenContended: 'skip' the method's promise must allow undefined"
    : unknown
  : "the key function must take the method's arguments"

/** Only for methods that return promises. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the method takes
export type WithLockDecorator<Args extends any[], Contended> = <Method extends AnyMethod>(
  target: object,
  property: string | symbol,
  descriptor: TypedPropertyDescriptor<Method> & Fits<Args, Contended, Method>,
) => TypedPropertyDescriptor<Method>

/**
 * Runs the method while it holds a lock, as `withLock` does; `currentLock()` is the lock, inside.
 *
 * ```ts
 * @WithLock((order: OrderDto) => `lock:product:${order.productId}`, { ttl: 5000 })
 * async place(order: OrderDto) { ... }
 * ```
 *
 * For providers, controllers, queue processors and cron handlers, above or below other decorators: metadata, `name` and
 * `length` of the method stay. What the method throws is what the caller gets, the very object. It locks by the instance
 * of the application that the method's object belongs to, or of the only one that has started; where there is none, or nothing
 * tells which of several it is, the call rejects, and says so.
 *
 * @param key what to lock, or a function of the method's arguments, called on its object, that says so
 * @throws {TypeError | RangeError} for a bad key or bad options, when the class is declared. What a function makes, and what
 * only the instance knows, as its `maxTtl` and `keyPrefix`, is found when the method is called, which then rejects
 */
// biome-ignore lint/suspicious/noExplicitAny: whatever the method takes
export function WithLock<Args extends any[], Contended extends 'throw' | 'skip' = 'throw'>(
  key: LockKey | ((...args: Args) => LockKey),
  options: WithLockDecoratorOptions<Contended>,
): WithLockDecorator<Args, Contended>
/**
 * With the method named: `@WithLock<OrderService['place']>((order) => order.id, ..)`. It takes 'skip' where the method's
 * promise allows undefined.
 */
export function WithLock<Method extends AnyMethod>(
  key: LockKey | ((...args: Parameters<Method>) => LockKey),
  options: WithLockDecoratorOptions<undefined extends Awaited<ReturnType<Method>> ? 'throw' | 'skip' : 'throw'>,
): WithLockDecorator<Parameters<Method>, 'throw'>

/**
 * Answers whom a lock was refused, in words that have no key and no node in them.
 *
 * HTTP, on Express and Fastify: 409 when others held it until the wait ended, 503 when no quorum of nodes could vote or the
 * service is closing; with `Retry-After` where the error tells. The body has `statusCode`, `error`, `message` and the
 * error's `code`.
 *
 * Microservices and WebSockets: `{ status: 'error', message, code }`, to the caller, and to the gateway's client as
 * `exception`, that of `ws` too. Elsewhere, as in GraphQL, it throws the error on.
 *
 * An error that is `reentrant` is none of these, but a mistake in the code: Nest answers it as any error it does not know.
 *
 * ```ts
 * app.useGlobalFilters(new RedlockExceptionFilter())
 * ```
 */
export class RedlockExceptionFilter {
  /** @returns nothing; for a microservice what Nest wants there, an `Observable` that fails */
  catch(error: LockError, host: ArgumentsHost): unknown
}
