// Writes the SDK's wire types anew: npm run generate:wire
import { writeFileSync } from 'node:fs'
import { generatedWire, WIRE_PATH } from './generated-wire.ts'

writeFileSync(WIRE_PATH, await generatedWire())
