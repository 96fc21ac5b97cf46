/// A certificate for `localhost` that signs itself, and its key: for servers of tests, of no use elsewhere. Valid from 2020 to 2119.
public enum TestCertificate {
    public static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBRzCB7qADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z
        dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAGA1UEAwwJ
        bG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEfyMjAIzg3bTI+Tim
        ui+dv/QIVin8AXmjw15OkU/bSTtW84MnWFOzPDkbVzX7mJTYpas/rch0FuKazZLu
        4nBs9aMvMC0wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMA8GA1UdEwEB/wQF
        MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgUA0r3FFnY+p8jZ9q8zKuh/pRSLNk+6Zv
        Y6fBbAECNK4CIQCoO4OkQq/bFGNj1OYNVA3oSA7CfgLjsVqzbqzI4K3qxw==
        -----END CERTIFICATE-----

        """

    public static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBDmWwyBzxIwFVyiD
        4f1AHCaCC+6adJFdEsKihTZNYwShRANCAAR/IyMAjODdtMj5OKa6L52/9AhWKfwB
        eaPDXk6RT9tJO1bzgydYU7M8ORtXNfuYlNilqz+tyHQW4prNku7icGz1
        -----END PRIVATE KEY-----

        """
}
