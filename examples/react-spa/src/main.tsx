import '@evergrant/sdk/react/styles.css'
import './styles.css'
import { EvergrantProvider } from '@evergrant/sdk/react'
import { en } from '@evergrant/sdk/react/labels/en'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { readSetting } from './setting.ts'

const root = createRoot(document.getElementById('root') ?? document.body)
const setting = await readSetting()
root.render(
  <StrictMode>
    <EvergrantProvider client={setting.evergrant} labels={en} app="Field Notes">
      <App setting={setting} />
    </EvergrantProvider>
  </StrictMode>,
)
