import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common'
import { NAME } from './inventory.dto.js'

/** A name from the path, as it may become part of a lock's key. */
@Injectable()
export class NamePipe implements PipeTransform<string, string> {
  transform(name: string) {
    if (!NAME.test(name)) throw new BadRequestException('a name is 1 to 64 letters, digits, "_" and "-"')
    return name
  }
}
