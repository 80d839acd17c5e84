import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { generatedWire, WIRE_PATH } from '../scripts/generated-wire.ts'

test("the SDK's wire types are what the server's OpenAPI document says; mend with npm run generate:wire", async () => {
  expect(readFileSync(WIRE_PATH, 'utf8')).toBe(await generatedWire())
})
