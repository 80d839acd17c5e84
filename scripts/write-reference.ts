// Writes the generated pages of docs/reference anew: npm run generate:reference
import { writeFileSync } from 'node:fs'
import { referencePages } from './reference-pages.ts'

for (const [name, text] of Object.entries(await referencePages())) writeFileSync(new URL(`../docs/reference/${name}`, import.meta.url), text)
