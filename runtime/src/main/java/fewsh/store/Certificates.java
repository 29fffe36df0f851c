package fewsh.store;

import fewsh.UserError;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/// `SSL_CERT_FILE`: certificates (PEM) to trust besides those the JDK trusts.
final class Certificates {
    private static final Pattern PEM = Pattern.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----",
            Pattern.DOTALL);

    private Certificates() {}

    /// Empty when the environment names no file.
    static Optional<SSLContext> of(Map<String, String> environment) {
        String named = environment.getOrDefault("SSL_CERT_FILE", "");
        if (named.isBlank()) return Optional.empty();
        String where = "SSL_CERT_FILE: " + named;
        try {
            String text = new String(Files.readAllBytes(Path.of(named)), StandardCharsets.ISO_8859_1);
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            int count = 0;
            for (Certificate certificate : issuersOfTheJdk()) trusted.setCertificateEntry("jdk" + count++, certificate);
            int before = count;
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (Matcher m = PEM.matcher(text); m.find(); ) {
                byte[] one = m.group().getBytes(StandardCharsets.ISO_8859_1);
                trusted.setCertificateEntry("file" + count++, factory.generateCertificate(new ByteArrayInputStream(one)));
            }
            if (count == before) throw new UserError(where, "holds no certificate", "a PEM file is expected");
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers(trusted), null);
            return Optional.of(context);
        } catch (IOException | InvalidPathException e) {
            throw new UserError(where, "cannot be read", "set it to a PEM file of certificates, or unset it", e);
        } catch (GeneralSecurityException e) {
            throw new UserError(where, "holds a certificate that cannot be read: " + e.getMessage(), "a PEM file is expected", e);
        }
    }

    private static X509Certificate[] issuersOfTheJdk() throws GeneralSecurityException {
        for (TrustManager manager : managers(null))
            if (manager instanceof X509TrustManager x509) return x509.getAcceptedIssuers();
        return new X509Certificate[0];
    }

    /// @param trusted null: what the JDK trusts
    private static TrustManager[] managers(KeyStore trusted) throws GeneralSecurityException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        return factory.getTrustManagers();
    }
}
