import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { generatedWire, WIRE_FOLDER } from '../scripts/generated-wire.ts'

test("the SDK's wire types are what the server's OpenAPI document says; mend with npm run generate:wire", async () => {
  const files = await generatedWire()
  const areas = readdirSync(join(WIRE_FOLDER, 'wire')).map((name) => `wire/${name}`)
  expect(areas.toSorted()).toEqual(
    Object.keys(files)
      .filter((name) => name !== 'wire.ts')
      .toSorted(),
  )
  for (const [name, text] of Object.entries(files)) {
    const path = join(WIRE_FOLDER, name)
    expect([name, existsSync(path) ? readFileSync(path, 'utf8') : null]).toEqual([name, text])
  }
})
