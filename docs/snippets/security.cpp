// SPDX-License-Identifier: BSL-1.0
// The code of docs/guide/security.md, compiled.

#include <waybill/waybill.hpp>

#include <cstdlib>

int main() {
    waybill::options options;
    //[credentials
    options.credentials = [](const std::string& origin) {
        waybill::header_list headers;
        if (origin == "https://api.example.com:443") {
            headers.push_back({"Authorization", std::string("Bearer ") + std::getenv("API_TOKEN")});
        }
        return headers;
    };
    //]
}
