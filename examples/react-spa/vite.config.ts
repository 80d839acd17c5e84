import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const sources = fileURLToPath(new URL('../../packages/sdk/src', import.meta.url))

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react()],
  resolve: {
    // The SDK as it is written. With the package installed, leave the alias out.
    alias: [
      { find: /^@evergrant\/sdk\/(browser|react)$/, replacement: `${sources}/$1/index.ts` },
      { find: /^@evergrant\/sdk\/react\/labels\/(\w+)$/, replacement: `${sources}/react/labels/$1.ts` },
      { find: '@evergrant/sdk/react/styles.css', replacement: `${sources}/react/styles.css` },
    ],
  },
  // A strict Content-Security-Policy allows no `data:` files.
  build: { outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0 },
})
