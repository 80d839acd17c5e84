import type { Labels } from '../labels.ts'

const reconnect = { primary: 'Reconnecter {P}' }
const signIn = { primary: 'Se connecter' }

export const fr: Labels = {
  locale: 'fr',
  provider: 'le fournisseur',
  account: 'votre compte',
  app: 'le serveur',
  details: 'Détails',
  dismiss: 'Fermer',
  more: { one: '{n} autre connexion demande votre attention', other: '{n} autres connexions demandent votre attention' },
  region: 'Connexions',
  status: {
    valid: 'Connecté',
    expiring: 'Expire bientôt',
    refreshing: 'Renouvellement en cours',
    needs_reauth: 'À reconnecter',
    unavailable: 'Indisponible',
    disconnected: 'Déconnecté',
    unknown: 'Vérification',
  },
  messages: {
    connection_expired: {
      title: '{P} doit être reconnecté',
      body: [
        "L'accès à {A} a expiré le {date}. La synchronisation est en pause ; rien n'a été supprimé.",
        "L'accès à {A} a expiré. La synchronisation est en pause ; rien n'a été supprimé.",
      ],
      ...reconnect,
      secondary: 'Me le rappeler demain',
    },
    connection_expiring: {
      title: "L'accès à {P} se termine {T}",
      body: ['Renouvelez {A} avant le {date} pour éviter une interruption.'],
      primary: 'Renouveler maintenant',
      secondary: "Masquer jusqu'à 24 h avant",
    },
    connection_revoked: {
      title: "L'accès à {P} a été retiré",
      body: [
        "Quelqu'un a retiré notre accès à {A} dans {P}, ou le mot de passe ou une règle de sécurité a changé. Si ce n'était pas vous, contactez votre administrateur {P}.",
      ],
      ...reconnect,
      secondary: 'Déconnecter',
    },
    refresh_outcome_lost: {
      title: '{P} doit être reconnecté',
      body: ["La connexion à {A} a été interrompue pendant que {P} la renouvelait. Rien n'a été supprimé."],
      ...reconnect,
      secondary: 'Me le rappeler demain',
    },
    rotated_after_backup: {
      title: '{P} doit être reconnecté',
      body: ["Nous avons dû revenir à une sauvegarde plus ancienne que la connexion à {A}. Rien n'a été supprimé."],
      ...reconnect,
    },
    grant_kept_elsewhere: {
      title: '{P} est connecté dans une autre installation',
      body: ["Ceci est la copie d'une autre installation, qui garde la connexion à {P}. Reconnectez pour utiliser {P} ici."],
      ...reconnect,
    },
    new_credentials_needed: {
      title: '{P} demande de nouveaux identifiants',
      body: ["La clé ou le mot de passe enregistré pour {P} n'est plus valable. Rien n'a été supprimé. Il en faut de nouveaux pour continuer."],
    },
    scope_missing: {
      title: '{P} demande une autorisation de plus',
      body: [
        'Pour {feature}, autorisez : « {scope} ». Les autres fonctions continuent de marcher.',
        'Il faut une autorisation de plus dans {P} pour cela. Les autres fonctions continuent de marcher.',
      ],
      primary: 'Autoriser dans {P}',
      secondary: 'Pas maintenant',
    },
    admin_approval_required: {
      title: 'Votre administrateur {P} doit approuver',
      body: ['Envoyez ce lien à un administrateur de {tenant}.', 'Envoyez ce lien à un administrateur de votre organisation {P}.'],
      primary: 'Copier le lien de demande',
      secondary: 'Je suis administrateur',
    },
    account_mismatch: {
      title: "C'était un autre compte {P}",
      body: [
        "Cette connexion appartient à {A} ; vous vous êtes connecté en tant que {B}. Rien n'a été modifié.",
        "Cette connexion appartient à {A} ; vous avez utilisé un autre compte. Rien n'a été modifié.",
      ],
      primary: 'Réessayer avec {A}',
      secondary: 'Ajouter {B} comme nouvelle connexion',
    },
    connection_paused: { title: '{P} est en pause', body: ["La connexion à {A} est en pause. Rien n'a été supprimé."] },
    connection_disconnected: { title: '{P} est déconnecté', body: ['La connexion à {A} a été coupée.'], ...reconnect },
    client_rejected: { title: "{P} n'est pas disponible pour le moment", body: ["L'équipe a été prévenue."], secondary: "Contacter l'assistance" },
    provider_rate_limited: {
      title: '{P} nous demande de ralentir',
      body: ["Les requêtes pour {A} reprennent {T}. Rien n'est perdu.", "Les requêtes pour {A} reprennent bientôt. Rien n'est perdu."],
      secondary: 'Détails',
    },
    provider_unavailable: {
      title: '{P} ne répond pas',
      body: [
        "{P} a des problèmes depuis {time}. Nous continuons d'essayer ; vous n'avez pas à reconnecter.",
        "{P} a des problèmes. Nous continuons d'essayer ; vous n'avez pas à reconnecter.",
      ],
      secondary: "Page d'état de {P}",
    },
    outcome_unknown: { title: 'En attente de {P}', body: ["{P} n'a pas répondu. Nous continuons d'essayer ; vous n'avez pas à reconnecter."] },
    deaths_held: {
      title: 'Vérification de {P}',
      body: ["{P} a refusé beaucoup de connexions d'un coup, nous vérifions donc. Vous n'avez pas encore à reconnecter."],
    },
    refresh_in_progress: { title: 'Renouvellement de {P}', body: ['Un instant : {P} est en cours de renouvellement.'] },
    reconnect_waiting: {
      title: 'En attente de {P}',
      body: ['Terminez dans la fenêtre que nous avons ouverte. Fenêtre fermée ? Recommencez.'],
      primary: 'Rouvrir',
      secondary: 'Annuler',
    },
    reconnect_cancelled: {
      title: 'Reconnexion inachevée',
      body: ['La fenêtre de connexion a été fermée avant la confirmation de {P}.'],
      primary: 'Rouvrir',
      secondary: 'Annuler',
    },
    popup_blocked: {
      title: 'Votre navigateur a bloqué la fenêtre',
      body: ['Autorisez les fenêtres pop-up pour ce site ou continuez dans cet onglet.'],
      primary: 'Continuer dans cet onglet',
      secondary: 'Comment autoriser',
    },
    reconnected: { title: 'Reconnecté en tant que {A}.', body: [] },
    client_offline: {
      title: 'Vous êtes hors ligne',
      body: ['Nous réessaierons tout seuls. Votre travail est conservé.'],
      primary: 'Réessayer maintenant',
    },
    service_unreachable: {
      title: 'Impossible de joindre {App}',
      body: ['Nouvel essai {T}. Vous êtes toujours connecté.', 'Nous réessayons. Vous êtes toujours connecté.'],
      primary: 'Réessayer maintenant',
      secondary: "Page d'état",
    },
    session_missing: { title: 'Veuillez vous connecter', body: [], ...signIn },
    session_expired: {
      title: 'Veuillez vous reconnecter',
      body: [
        'Vous avez été déconnecté : {reason}. Ce que vous avez saisi sur cette page est conservé.',
        "Vous avez été déconnecté après une période d'inactivité. Ce que vous avez saisi sur cette page est conservé.",
      ],
      ...signIn,
    },
    session_signed_out: { title: 'Vous vous êtes déconnecté dans un autre onglet', body: [], ...signIn },
    session_revoked: {
      title: 'Votre session a été fermée',
      body: ["Une personne qui gère {App} l'a fermée. Reconnectez-vous, ou demandez-lui."],
      ...signIn,
    },
    session_reuse_detected: {
      title: 'Nous avons fermé cette session par sécurité',
      body: ["La session a été utilisée depuis deux endroits. Reconnectez-vous et vérifiez l'activité récente."],
      ...signIn,
      secondary: "Vérifier l'activité",
    },
    clock_skew: {
      title: "L'horloge de votre appareil a {n} min d'écart",
      body: ["La connexion peut échouer tant qu'elle n'est pas corrigée."],
      primary: 'Comment corriger',
    },
    unknown: {
      title: 'Un problème est survenu avec {P}',
      body: ['Nous réessayons. Si cela continue, envoyez-nous cet identifiant : {requestId}.', 'Nous réessayons.'],
      primary: 'Réessayer',
      secondary: 'Copier les détails',
    },
  },
}
