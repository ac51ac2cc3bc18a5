// SPDX-License-Identifier: BSL-1.0
// The code of docs/guide/protocols.md about presigned URLs, compiled.

#include <waybill/protocol/s3_presign.hpp>
#include <waybill/waybill.hpp>

#include <chrono>
#include <iostream>
#include <optional>
#include <string>

int main() {
    //[presign
    // Where the keys are: a backend, or a tool.
    const std::string object = "https://bucket.s3.example.com/in/photo.jpg";
    const std::optional<waybill::s3_credentials> who =
        waybill::default_s3_credentials("https://bucket.s3.example.com", "");
    if (!who) {
        std::cerr << "no keys\n";
        return 1;
    }
    const std::string target = waybill::s3_presigned_put(object, *who, std::chrono::hours(24), "eu-central-1");

    // Where they are not: an app that was given the URL.
    waybill::job photo(target);
    photo.via(waybill::put{}).file("photo.jpg");
    //]
}
