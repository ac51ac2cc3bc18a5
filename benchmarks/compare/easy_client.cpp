// SPDX-License-Identifier: BSL-1.0
//
// A plain blocking libcurl loop: one handle, one file after the other.
#include "compare/order.hpp"

#include <curl/curl.h>

int main(int argc, char** argv) {
    const waybill::bench::upload_order order(argc, argv);
    curl_global_init(CURL_GLOBAL_ALL);
    CURL* const easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 2L << 20);
    if (!order.ca.empty()) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, order.ca.c_str());
    }
    curl_slist* const headers = curl_slist_append(nullptr, "Expect:");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    for (const std::string& file : order.files) {
        std::FILE* const in = std::fopen(file.c_str(), "rb");
        if (in == nullptr) {
            waybill::bench::give_up("cannot open " + file);
        }
        const std::string target = order.target(file);
        curl_easy_setopt(easy, CURLOPT_URL, target.c_str());
        curl_easy_setopt(easy, CURLOPT_READDATA, in);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(std::filesystem::file_size(file)));
        if (const CURLcode rc = curl_easy_perform(easy); rc != CURLE_OK) {
            waybill::bench::give_up(file + ": " + curl_easy_strerror(rc));
        }
        std::fclose(in);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
}
