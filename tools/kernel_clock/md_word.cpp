#include "tools/kernel_clock/md_word.hpp"

#include <fmt/format.h>

#include <cctype>
#include <sstream>

#include "common/errors.hpp"
#include "common/printable.hpp"

namespace wafermark {

using Kind = WorkEvent::Kind;

MdWord parse_md_word(const std::string& text) {
  std::istringstream in(text);
  std::string name;
  in >> name;
  const auto refuse = [&](const std::string& expected) {
    return InputError(fmt::format("'{}': found no such word, expected {}", excerpt(text), expected));
  };
  const auto set = [&] {
    std::string s;
    in >> s;
    using Set = MdWord::Set;
    if (s == "own") return Set::own;
    if (s == "all") return Set::all;
    if (s == "sent") return Set::sent;
    if (s == "received") return Set::received;
    throw refuse("own, all, sent or received");
  };
  const auto bytes = [&] {
    double b = -1.0;
    if (!(in >> b) || !(0.0 <= b && b <= 1e6)) throw refuse("a number of bytes");
    return b;
  };
  using Class = KernelKind::Class;
  MdWord w;
  const auto kernel = [&](Class kind) {
    w.kind = Kind::kernel;
    w.kernel.kind.kind = kind;
    if (!(in >> w.kernel.label)) throw refuse("a label");
    w.set = set();
    if (kind == Class::streaming) w.kernel.kind.bytes_per_item = bytes();
  };
  const auto plain = [&](Kind kind) {
    w.kind = kind;
    w.kernel.kind.bytes_per_item = bytes();
  };
  if (name == "kernel") {
    kernel(Class::streaming);
  } else if (name == "pairs") {
    kernel(Class::pairs);
  } else if (name == "plain_pairs") {
    kernel(Class::plain_pairs);
  } else if (name == "search") {
    kernel(Class::search);
  } else if (name == "copy") {
    w.set = set();
    plain(Kind::copy);
  } else if (name == "host_copy") {
    in >> std::ws;
    if (!std::isdigit(in.peek())) w.set = set();
    plain(Kind::host_copy);
  } else if (name == "message" || name == "message_back") {
    w.back = name == "message_back";
    w.set = MdWord::Set::sent;
    plain(Kind::exchange);
  } else if (name == "numbers") {
    plain(Kind::exchange);
  } else if (name == "all_reduce") {
    plain(Kind::all_reduce);
  } else if (name == "broadcast") {
    plain(Kind::broadcast);
  } else if (name != "fence") {
    throw refuse(
        "kernel, pairs, plain_pairs, search, copy, host_copy, fence, message, message_back, numbers, "
        "all_reduce or broadcast");
  }
  if (std::string more; in >> more) throw refuse("nothing behind it");
  return w;
}

}  // namespace wafermark
