// SPDX-License-Identifier: BSL-1.0
#include "support/certificates.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace waybill::test {
namespace {

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* what) const noexcept {
        Free(what);
    }
};
using key_handle = std::unique_ptr<EVP_PKEY, freed_by<&EVP_PKEY_free>>;
using certificate_handle = std::unique_ptr<X509, freed_by<&X509_free>>;
using extension_handle = std::unique_ptr<X509_EXTENSION, freed_by<&X509_EXTENSION_free>>;
using file_handle = std::unique_ptr<std::FILE, freed_by<&std::fclose>>;

void require(bool worked, const char* what) {
    if (!worked) {
        char text[256];
        ERR_error_string_n(ERR_get_error(), text, sizeof text);
        throw std::runtime_error(std::string("OpenSSL, ") + what + ": " + text);
    }
}

key_handle make_key() {
    key_handle key(EVP_EC_gen("P-256"));
    require(key != nullptr, "making a key");
    return key;
}

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const extension_handle extension(X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
    require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "adding an extension");
}

certificate_handle make_certificate(EVP_PKEY* key, const std::string& name, long serial, long from, long until) {
    certificate_handle made(X509_new());
    require(made != nullptr, "making a certificate");
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), from);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), until);
    X509_set_pubkey(made.get(), key);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL takes text as unsigned bytes
    const auto* const text = reinterpret_cast<const unsigned char*>(name.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC, text, -1, -1, 0);
    return made;
}

void write_certificate(const std::string& path, X509* certificate) {
    const file_handle file(std::fopen(path.c_str(), "w"));
    require(file && PEM_write_X509(file.get(), certificate) == 1, "writing a certificate");
}

std::string alternative_names(const std::vector<std::string>& names) {
    std::string result;
    for (const std::string& n : names) {
        const bool address = n.find_first_not_of("0123456789.") == std::string::npos;
        result += (result.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + n;
    }
    return result;
}

}  // namespace

struct certificate_authority::keys {
    key_handle key;
    certificate_handle certificate;
};

certificate_authority::certificate_authority() : keys_(std::make_unique<keys>()) {
    keys_->key = make_key();
    // Unique: a client that trusts one test's authority must not take another's for it.
    const std::string name = "waybill test authority " + dir_.path().filename().string();
    keys_->certificate = make_certificate(keys_->key.get(), name, 1, -3600, 7 * 24 * 3600);
    X509* const certificate = keys_->certificate.get();
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    require(X509_sign(certificate, keys_->key.get(), EVP_sha256()) > 0, "signing");
    write_certificate(ca_file(), certificate);
}

certificate_authority::~certificate_authority() = default;

server_identity certificate_authority::issue(const std::vector<std::string>& names, std::chrono::seconds valid_for) {
    const std::string file = dir_ / ("server" + std::to_string(++issued_));
    const key_handle key = make_key();
    const auto until = static_cast<long>(valid_for.count());
    const certificate_handle made =
        make_certificate(key.get(), names.at(0), 1 + issued_, std::min(-3600L, until - 3600), until);
    X509_set_issuer_name(made.get(), X509_get_subject_name(keys_->certificate.get()));
    extend(made.get(), keys_->certificate.get(), NID_basic_constraints, "CA:FALSE");
    extend(made.get(), keys_->certificate.get(), NID_subject_alt_name, alternative_names(names));
    require(X509_sign(made.get(), keys_->key.get(), EVP_sha256()) > 0, "signing");
    write_certificate(file + ".pem", made.get());
    const file_handle key_file(std::fopen((file + ".key").c_str(), "w"));
    require(key_file && PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
            "writing a key");
    return {file + ".pem", file + ".key"};
}

}  // namespace waybill::test
