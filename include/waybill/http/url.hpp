// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>

#include <curl/curl.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace waybill {

/// A checked `http` or `https` URL (RFC 3986), parsed by libcurl so that the URL that is checked is the one that is
/// sent.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: unsafe.
class url {
public:
    /// Throws `errc::invalid_url` or `errc::unsupported_scheme`. Rejects user information, which is a secret;
    /// fragments, which are never sent; control characters and spaces; hosts beyond ASCII, with a message that shows
    /// how they are written.
    explicit url(const std::string& text) : handle_(or_no_memory(curl_url()), &curl_url_cleanup) {
        require_one_word(text);
        set(text);
        require_one_word(host());  // libcurl percent-decodes the host
        require_ascii_host();
        // libcurl is lenient with slashes and would take the first directory for the host.
        if (const auto slashes = text.find("://"); slashes == std::string::npos || text[slashes + 3] == '/') {
            throw error(errc::invalid_url, "'" + printable(text) + "' has no host");
        }
        if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty()) {
            throw error(errc::invalid_url, redacted() + " has user information, which would be stored");
        }
        if (text.find('#') != std::string::npos) {
            throw error(errc::invalid_url, redacted() + " has a fragment");
        }
        require_reachable_host();
    }

    [[nodiscard]] std::string str() const { return part(CURLUPART_URL); }
    [[nodiscard]] std::string scheme() const { return part(CURLUPART_SCHEME); }
    [[nodiscard]] std::string host() const { return part(CURLUPART_HOST); }
    [[nodiscard]] std::string port() const { return part(CURLUPART_PORT, CURLU_DEFAULT_PORT); }
    [[nodiscard]] std::string path() const { return part(CURLUPART_PATH); }
    [[nodiscard]] std::string query() const { return part(CURLUPART_QUERY); }

    /// Scheme, host and port (RFC 6454): the unit credentials and redirects are bound to. A link-local address means
    /// another host on each interface: its zone belongs to it.
    [[nodiscard]] std::string origin() const {
        std::string name = host();  // in any case: the same host
        std::transform(name.begin(), name.end(), name.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        if (const std::string zone = part(CURLUPART_ZONEID); !zone.empty() && name.ends_with(']')) {
            name.insert(name.size() - 1, "%25" + zone);
        }
        return scheme() + "://" + name + ":" + port();
    }

    /// For logs and snapshots: without the query, which may hold a signature.
    [[nodiscard]] std::string redacted() const {
        std::string shown = scheme() + "://" + host();
        if (const std::string explicit_port = part(CURLUPART_PORT); !explicit_port.empty()) {
            shown += ":" + explicit_port;
        }
        shown += path();
        if (!query().empty()) {
            shown += "?…";
        }
        return shown;
    }

    /// Resolves a reference such as a `Location` header relative to this URL (RFC 3986 section 5). Its fragment is
    /// dropped: it is meant for a browser, and never sent (RFC 9110 section 10.2.2). Throws as the constructor does.
    [[nodiscard]] url resolve(const std::string& reference) const {
        url result(*this);
        result.set(reference.substr(0, reference.find('#')));
        return url(result.str());
    }

    /// With each `{name}`, in path and query, made from `name`; without one `name` is added to the path.
    [[nodiscard]] static std::string fill_name(std::string target, std::string_view name) {
        constexpr std::string_view mark = "{name}";
        const std::string escaped = escape_segment(name);
        auto at = target.find(mark);
        if (at == std::string::npos) {
            const auto query = target.find('?');
            return target.insert(query == std::string::npos ? target.size() : query, escaped);
        }
        for (; at != std::string::npos; at = target.find(mark, at + escaped.size())) {
            target.replace(at, mark.size(), escaped);
        }
        return target;
    }

    /// Percent-encodes everything but RFC 3986's unreserved characters.
    [[nodiscard]] static std::string escape_segment(std::string_view text) {
        if (text.empty()) {
            return {};  // libcurl would take the length 0 for "up to the NUL"
        }
        const std::unique_ptr<char, decltype(&curl_free)> out(
            or_no_memory(curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size()))), &curl_free);
        return out.get();
    }

    /// Percent-decodes. A `%` that starts no escape is kept.
    [[nodiscard]] static std::string unescape(std::string_view text) {
        if (text.empty()) {
            return {};
        }
        int length = 0;
        const std::unique_ptr<char, decltype(&curl_free)> out(
            or_no_memory(curl_easy_unescape(nullptr, text.data(), static_cast<int>(text.size()), &length)), &curl_free);
        return {out.get(), static_cast<std::size_t>(length)};
    }

    url(const url& other) : handle_(or_no_memory(curl_url_dup(other.handle_.get())), &curl_url_cleanup) {}
    url& operator=(const url& other) {
        handle_.reset(or_no_memory(curl_url_dup(other.handle_.get())));
        return *this;
    }
    url(url&&) = default;
    url& operator=(url&&) = default;
    ~url() = default;

private:
    /// An allocation failure does not mean that the URL is wrong.
    template <class Made>
    static Made* or_no_memory(Made* made) {
        if (made == nullptr) {
            throw std::bad_alloc();
        }
        return made;
    }

    static void require_one_word(std::string_view text) {
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte <= 0x20 || byte == 0x7F) {
                throw error(errc::invalid_url, "'" + printable(text) + "' has a space or control character");
            }
        }
    }

    // A job with a host that can never be reached would wait for it. A name has labels of 1 to 63 characters (RFC 1035
    // section 2.3.4), and one that ends in a number is an address
    // (https://url.spec.whatwg.org/#ends-in-a-number-checker).
    void require_reachable_host() const {
        constexpr std::size_t longest_label = 63;
        constexpr std::size_t longest_name = 253;
        if (port() == "0") {
            throw error(errc::invalid_url, "port 0 cannot be connected to");
        }
        std::string name = host();
        if (name.starts_with('[')) {
            return;
        }
        if (name.ends_with('.')) {
            name.pop_back();
        }
        bool possible = name.size() <= longest_name;
        std::size_t labels = 0;
        bool in_range = true;
        bool number = false;
        for (std::size_t at = 0; at <= name.size(); ++labels) {
            const std::string label = name.substr(at, std::min(name.find('.', at), name.size()) - at);
            possible = possible && !label.empty() && label.size() <= longest_label;
            number = !label.empty() && label.find_first_not_of("0123456789") == std::string::npos;
            in_range = in_range && number && label.size() <= 3 && std::stoi(label) <= 255;
            at += label.size() + 1;
        }
        if (!possible || (number && (!in_range || labels != 4))) {
            throw error(errc::invalid_url, "the host '" + printable(name) + "' is neither a name nor an address");
        }
    }

    // libcurl would translate it by the rules of the process's locale, at each request.
    void require_ascii_host() const {
        const std::string name = host();
        if (std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
            return;
        }
        std::string ascii;
#if defined(CURLU_PUNYCODE)
        char* text = nullptr;  // libcurl calls it out of memory when the locale has no such characters
        if (curl_url_get(handle_.get(), CURLUPART_HOST, &text, CURLU_PUNYCODE) == CURLUE_OK) {
            ascii = text;
        }
        curl_free(text);  // libcurl 7.88 leaks it when the name cannot be translated
#endif
        const bool known = std::all_of(ascii.begin(), ascii.end(),
                                       [](char c) { return c > 0x20 && static_cast<unsigned char>(c) < 0x7F; });
        const std::string remedy = known && !ascii.empty() ? ascii : "xn--…";
        throw error(errc::invalid_url, "the host '" + printable(name) + "' is not in ASCII: write it as " + remedy);
    }

    void set(const std::string& text) {
        const CURLUcode rc = curl_url_set(handle_.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME);
        if (rc == CURLUE_OUT_OF_MEMORY) {
            throw std::bad_alloc();
        }
        if (rc != CURLUE_OK) {
            throw error(errc::invalid_url, "'" + printable(text) + "' (" + curl_url_strerror(rc) + ")");
        }
        if (const std::string used = scheme(); used != "http" && used != "https") {
            throw error(errc::unsupported_scheme, used);
        }
        if (host().empty()) {
            throw error(errc::invalid_url, "'" + printable(text) + "' has no host");
        }
    }

    [[nodiscard]] std::string part(CURLUPart what, unsigned flags = 0) const {
        char* text = nullptr;
        const CURLUcode rc = curl_url_get(handle_.get(), what, &text, flags);
        if (rc == CURLUE_OUT_OF_MEMORY) {
            throw std::bad_alloc();
        }
        if (rc != CURLUE_OK) {
            return {};
        }
        std::string result(text);
        curl_free(text);
        return result;
    }

    // Text that did not parse may hold anything: show its beginning, without controls, without a query, and without
    // anything that may be user information.
    [[nodiscard]] static std::string printable(std::string_view text) {
        const auto at = text.find('@');
        const auto slashes = text.find("://");
        const std::size_t end = at == std::string_view::npos ? text.find('?') : slashes < at ? slashes + 3 : 0;
        std::string shown(text.substr(0, std::min<std::size_t>(end, 120)));
        if (at != std::string_view::npos) {
            shown += "…";
        }
        for (char& c : shown) {
            const auto byte = static_cast<unsigned char>(c);
            c = byte < 0x20 || byte == 0x7F ? '?' : c;
        }
        return shown;
    }

    std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> handle_;
};

}  // namespace waybill
