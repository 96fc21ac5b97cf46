import TSDB

/// A text that is never shown: given in the file, or read anew from another file at each use.
public enum Secret: Sendable, Equatable {
    case text(String)
    case file(path: String)
}

/// How to reach an HTTP server: who we are, whom we trust.
public struct HTTPClientConfig: Sendable, Equatable {
    public enum Authorization: Sendable, Equatable {
        case basic(username: Secret, password: Secret)
        case bearer(type: String, credentials: Secret)
    }

    public struct TLS: Sendable, Equatable {
        public var ca: Secret?
        public var certificate: Secret?
        public var key: Secret?
        public var serverName = ""
        public var skipsVerification = false
        /// `TLS12`, `TLS13`; empty for the library's own.
        public var minimumVersion = ""
        public var maximumVersion = ""
        public init() {}
    }

    public var authorization: Authorization?
    public var tls = TLS()
    public var followsRedirects = true
    public var proxyURL = ""
    /// Added to each request, in order.
    public var headers: [Header] = []

    public struct Header: Sendable, Equatable {
        public var name: String
        public var values: [Secret]
        public init(name: String, values: [Secret]) {
            self.name = name
            self.values = values
        }
    }

    public init() {}
}

/// `webhook_configs`: the notification as JSON, version 4.
public struct WebhookSettings: Sendable, Equatable {
    public var http = HTTPClientConfig()
    /// A template.
    public var url: Secret
    /// Alerts beyond this many are left out and counted; 0: all are sent.
    public var maxAlerts = 0
    /// For one attempt; zero: the flush's own bound.
    public var timeout = Duration.zero
    /// What is sent instead of the notification; its texts and names are templates.
    public var payload: PayloadJSON?
    public init(url: Secret) { self.url = url }
}

/// `slack_configs`. Texts are templates.
public struct SlackSettings: Sendable, Equatable {
    public struct Action: Sendable, Equatable {
        public var type = "", text = "", url = "", style = "", name = "", value = ""
        public var confirm: Confirmation?
        public init() {}
    }

    public struct Confirmation: Sendable, Equatable {
        public var text = "", title = "", okText = "", dismissText = ""
        public init() {}
    }

    public struct Field: Sendable, Equatable {
        public var title = "", value = ""
        public var isShort: Bool?
        public init() {}
    }

    public var http = HTTPClientConfig()
    /// The incoming webhook's address; or Slack's own API, with the token as authorization.
    public var apiURL: Secret
    public var channel = "", username = "", color = "", title = "", titleLink = "", pretext = "", text = "", fallback = ""
    public var callbackID = "", iconEmoji = "", iconURL = "", imageURL = "", thumbURL = "", footer = "", messageText = ""
    public var fields: [Field] = []
    public var actions: [Action] = []
    public var shortFields = false, linkNames = false
    public var markdownIn: [String] = []
    public var timeout = Duration.zero
    public init(apiURL: Secret) { self.apiURL = apiURL }
}

/// `email_configs`. Texts and headers are templates.
public struct EmailSettings: Sendable, Equatable {
    /// Mails of one group are answers to one that never was, so that mail programs show them together.
    public enum Threading: Sendable { case byGroup, byGroupAndDay }

    public var to = "", from = "", hello = "localhost"
    /// `host:port`.
    public var smarthost = ""
    public var authUsername = "", authIdentity = ""
    public var authPassword: Secret?
    /// For CRAM-MD5.
    public var authSecret: Secret?
    /// By name, in order of names.
    public var headers = Annotations()
    public var html = "", text = ""
    public var requiresTLS = true
    /// `force_implicit_tls`; `nil`: by port 465.
    public var implicitTLS: Bool?
    public var tls = HTTPClientConfig.TLS()
    /// `threading`; `nil`: off.
    public var threading: Threading?
    public init() {}
}

/// `pagerduty_configs`, Events API v2. Texts are templates.
public struct PagerDutySettings: Sendable, Equatable {
    public struct Link: Sendable, Equatable {
        public var href = "", text = ""
        public init() {}
    }

    public struct Image: Sendable, Equatable {
        public var href = "", source = "", alt = ""
        public init() {}
    }

    public var http = HTTPClientConfig()
    public var routingKey: Secret
    public var url = "", client = "", clientURL = "", description = "", severity = "", source = "", kind = "", component = "", group = ""
    public var details = Annotations()
    public var links: [Link] = []
    public var images: [Image] = []
    public var timeout = Duration.zero
    public init(routingKey: Secret) { self.routingKey = routingKey }
}

/// `log_configs`, ours: a line of JSON per notification.
public struct LogSettings: Sendable, Equatable {
    /// Where lines are appended; empty: the server's own log.
    public var path = ""
    public init() {}
}

/// `exec_configs`, ours: a program with fixed arguments, no shell; the notification comes on its standard input as JSON.
public struct ExecSettings: Sendable, Equatable {
    /// The program's absolute path and its arguments, taken as they are.
    public var command: [String]
    /// After it the program and its children are killed.
    public var timeout = Duration.seconds(10)
    /// Runs at once; more fail and are tried again.
    public var concurrency = 1
    public init(command: [String]) { self.command = command }
}
