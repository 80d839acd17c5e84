// Writes the SDK's wire types anew: npm run generate:wire
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatedWire, WIRE_FOLDER } from './generated-wire.ts'

const files = await generatedWire()
rmSync(join(WIRE_FOLDER, 'wire'), { recursive: true, force: true })
mkdirSync(join(WIRE_FOLDER, 'wire'), { recursive: true })
for (const [name, text] of Object.entries(files)) writeFileSync(join(WIRE_FOLDER, name), text)
