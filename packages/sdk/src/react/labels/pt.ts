import type { Labels } from '../labels.ts'

const reconnect = { primary: 'Reconectar {P}' }
const signIn = { primary: 'Entrar' }

export const pt: Labels = {
  locale: 'pt',
  provider: 'o provedor',
  account: 'sua conta',
  app: 'o servidor',
  details: 'Detalhes',
  dismiss: 'Fechar',
  more: { one: 'Mais {n} conexão precisa de atenção', other: 'Mais {n} conexões precisam de atenção' },
  region: 'Conexões',
  status: {
    valid: 'Conectado',
    expiring: 'Expira em breve',
    refreshing: 'Renovando',
    needs_reauth: 'Precisa ser reconectado',
    unavailable: 'Indisponível',
    disconnected: 'Desconectado',
    unknown: 'Verificando',
  },
  messages: {
    connection_expired: {
      title: '{P} precisa ser reconectado',
      body: [
        'O acesso a {A} expirou em {date}. A sincronização está pausada; nada foi apagado.',
        'O acesso a {A} expirou. A sincronização está pausada; nada foi apagado.',
      ],
      ...reconnect,
      secondary: 'Lembrar amanhã',
    },
    connection_expiring: {
      title: 'O acesso a {P} termina {T}',
      body: ['Renove {A} antes de {date} para evitar uma interrupção.'],
      primary: 'Renovar agora',
      secondary: 'Ocultar até 24 h antes',
    },
    connection_revoked: {
      title: 'O acesso a {P} foi removido',
      body: ['Alguém removeu nosso acesso a {A} em {P}, ou a senha ou uma política de segurança mudou. Se não foi você, fale com o administrador de {P}.'],
      ...reconnect,
      secondary: 'Desconectar',
    },
    refresh_outcome_lost: {
      title: '{P} precisa ser reconectado',
      body: ['A conexão com {A} foi interrompida enquanto {P} a renovava. Nada foi apagado.'],
      ...reconnect,
      secondary: 'Lembrar amanhã',
    },
    rotated_after_backup: {
      title: '{P} precisa ser reconectado',
      body: ['Tivemos de voltar a um backup mais antigo que a conexão com {A}. Nada foi apagado.'],
      ...reconnect,
    },
    grant_kept_elsewhere: {
      title: '{P} está conectado em outra instalação',
      body: ['Esta é uma cópia de outra instalação, que mantém a conexão com {P}. Conecte de novo para usar {P} aqui.'],
      ...reconnect,
    },
    new_credentials_needed: {
      title: '{P} precisa de novas credenciais',
      body: ['A chave ou senha guardada para {P} não funciona mais. Nada foi apagado. É preciso uma nova para continuar.'],
    },
    scope_missing: {
      title: '{P} precisa de mais uma permissão',
      body: ['Para {feature}, permita: "{scope}". O resto continua funcionando.', 'Isto precisa de mais uma permissão em {P}. O resto continua funcionando.'],
      primary: 'Permitir em {P}',
      secondary: 'Agora não',
    },
    admin_approval_required: {
      title: 'Seu administrador de {P} precisa aprovar',
      body: ['Envie este link a um administrador de {tenant}.', 'Envie este link a um administrador da sua organização em {P}.'],
      primary: 'Copiar link da solicitação',
      secondary: 'Sou administrador',
    },
    account_mismatch: {
      title: 'Essa era outra conta de {P}',
      body: [
        'Esta conexão pertence a {A}; você entrou como {B}. Nada foi alterado.',
        'Esta conexão pertence a {A}; você entrou com outra conta. Nada foi alterado.',
      ],
      primary: 'Tentar de novo como {A}',
      secondary: 'Adicionar {B} como nova conexão',
    },
    connection_paused: { title: '{P} está pausado', body: ['A conexão com {A} está pausada. Nada foi apagado.'] },
    connection_disconnected: { title: '{P} está desconectado', body: ['A conexão com {A} foi desfeita.'], ...reconnect },
    client_rejected: { title: '{P} não está disponível agora', body: ['A equipe foi avisada.'], secondary: 'Falar com o suporte' },
    provider_rate_limited: {
      title: '{P} pediu para irmos mais devagar',
      body: ['As solicitações de {A} continuam {T}. Nada se perde.', 'As solicitações de {A} continuam em breve. Nada se perde.'],
      secondary: 'Detalhes',
    },
    provider_unavailable: {
      title: '{P} não está respondendo',
      body: [
        '{P} tem problemas desde {time}. Continuamos tentando; você não precisa reconectar.',
        '{P} tem problemas. Continuamos tentando; você não precisa reconectar.',
      ],
      secondary: 'Página de status de {P}',
    },
    outcome_unknown: { title: 'Esperando {P}', body: ['{P} não respondeu. Continuamos tentando; você não precisa reconectar.'] },
    deaths_held: {
      title: 'Verificando com {P}',
      body: ['{P} recusou muitas conexões de uma vez, então estamos verificando. Você ainda não precisa reconectar.'],
    },
    refresh_in_progress: { title: 'Renovando {P}', body: ['Um momento: {P} está sendo renovado.'] },
    reconnect_waiting: {
      title: 'Esperando {P}',
      body: ['Termine na janela que abrimos. Fechou a janela? Comece de novo.'],
      primary: 'Abrir de novo',
      secondary: 'Cancelar',
    },
    reconnect_cancelled: {
      title: 'Reconexão não concluída',
      body: ['A janela de login foi fechada antes de {P} confirmar.'],
      primary: 'Abrir de novo',
      secondary: 'Cancelar',
    },
    popup_blocked: {
      title: 'Seu navegador bloqueou a janela',
      body: ['Permita pop-ups para este site ou continue nesta aba.'],
      primary: 'Continuar nesta aba',
      secondary: 'Como permitir',
    },
    reconnected: { title: 'Reconectado como {A}.', body: [] },
    client_offline: { title: 'Você está sem internet', body: ['Tentaremos de novo sozinhos. Seu trabalho está guardado.'], primary: 'Tentar agora' },
    service_unreachable: {
      title: 'Não foi possível acessar {App}',
      body: ['Nova tentativa {T}. Você continua conectado.', 'Tentando de novo. Você continua conectado.'],
      primary: 'Tentar agora',
      secondary: 'Página de status',
    },
    session_missing: { title: 'Entre na sua conta', body: [], ...signIn },
    session_expired: {
      title: 'Entre novamente',
      body: [
        'Sua sessão foi encerrada: {reason}. O que você digitou nesta página está guardado.',
        'Sua sessão foi encerrada porque você ficou um tempo sem aparecer. O que você digitou nesta página está guardado.',
      ],
      ...signIn,
    },
    session_signed_out: { title: 'Você saiu em outra aba', body: [], ...signIn },
    session_revoked: { title: 'Sua sessão foi encerrada', body: ['Alguém que cuida de {App} a encerrou. Entre de novo ou pergunte.'], ...signIn },
    session_reuse_detected: {
      title: 'Encerramos esta sessão por segurança',
      body: ['A sessão foi usada em dois lugares. Entre de novo e confira a atividade recente.'],
      ...signIn,
      secondary: 'Conferir a atividade',
    },
    clock_skew: {
      title: 'O relógio do seu aparelho está {n} min errado',
      body: ['O login pode falhar até que seja corrigido.'],
      primary: 'Como corrigir',
    },
    unknown: {
      title: 'Algo deu errado com {P}',
      body: ['Estamos tentando de novo. Se continuar, envie-nos este código: {requestId}.', 'Estamos tentando de novo.'],
      primary: 'Tentar de novo',
      secondary: 'Copiar detalhes',
    },
  },
}
