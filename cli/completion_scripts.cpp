#include "cli/completion_scripts.hpp"

#include "cli/text.hpp"
#include "cli/verb.hpp"

namespace ferry::cli {
namespace {

struct described_verb {
  const verb* named;
  std::unique_ptr<action> owner; // of what the declarations refer to
  arguments taken;
};

// The common options' variables live in one context that is never used for anything else.
std::deque<described_verb> describe_all(context& unused, bool& help) {
  std::deque<described_verb> all;
  for (const verb& v : all_verbs()) {
    described_verb& d = all.emplace_back(described_verb{&v, v.make(), {}});
    d.owner->declare(d.taken);
    declare_common(d.taken, unused, help);
  }
  return all;
}

std::string joined(const std::vector<std::string>& words, const std::string& between = " ") {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : between) + word;
  return text;
}

std::string verb_pattern(const verb& v, const std::string& between) {
  return std::string(v.name) + (v.alias.empty() ? "" : between + std::string(v.alias));
}

// Text within single quotes of a POSIX shell.
std::string single_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// ---- bash

std::string bash_words(const option_declaration& o) {
  switch (o.kind) {
  case value_kind::job_type: return "$(ferry types --quiet 2>/dev/null)";
  case value_kind::job_id: return "$(ferry list --quiet --limit 100 2>/dev/null)";
  case value_kind::group: return "$(ferry group --quiet 2>/dev/null)";
  case value_kind::dataset: return "$(ferry datasets --quiet 2>/dev/null)";
  case value_kind::node: return "$(ferry nodes --quiet 2>/dev/null)";
  case value_kind::nothing:
  case value_kind::text:
  case value_kind::integer:
  case value_kind::file:
  case value_kind::directory:
  case value_kind::choice: return joined(o.choices);
  }
  return {};
}

std::string bash_reply(const option_declaration& o) {
  if (o.kind == value_kind::file)
    return "COMPREPLY=($(compgen -f -- \"$cur\"))";
  if (o.kind == value_kind::directory)
    return "COMPREPLY=($(compgen -d -- \"$cur\"))";
  const std::string words = bash_words(o);
  return words.empty() ? "COMPREPLY=()" : "COMPREPLY=($(compgen -W \"" + words + "\" -- \"$cur\"))";
}

std::string option_pattern(const option_declaration& o) {
  std::vector<std::string> names;
  for (const std::string& name : {o.short_name(), o.long_name()})
    if (!name.empty())
      names.push_back(name);
  return joined(names, "|");
}

std::string bash_verb(const described_verb& d) {
  std::string values, options, places;
  int place = 1;
  for (const option_declaration& o : d.taken.declarations()) {
    if (o.positional) {
      places += "          " + (o.many ? std::string("*") : std::to_string(place++)) + ") " + bash_reply(o) + " ;;\n";
      continue;
    }
    options += (options.empty() ? "" : " ") + (o.long_name().empty() ? o.short_name() : o.long_name());
    if (o.kind != value_kind::nothing)
      values += "        " + option_pattern(o) + ") " + bash_reply(o) + "; return ;;\n";
  }
  return "    " + verb_pattern(*d.named, "|") + ")\n      case $prev in\n" + values + "      esac\n" +
         "      if [[ $cur == -* ]]; then\n        COMPREPLY=($(compgen -W \"" + options + "\" -- \"$cur\"))\n      else\n" +
         "        case $place in\n" + places + "          *) ;;\n        esac\n      fi ;;\n";
}

std::string bash_script(const std::deque<described_verb>& verbs) {
  std::vector<std::string> names;
  std::string cases, with_value;
  for (const described_verb& d : verbs) {
    names.emplace_back(d.named->name);
    cases += bash_verb(d);
    for (const option_declaration& o : d.taken.declarations())
      if (!o.positional && o.kind != value_kind::nothing && with_value.find(option_pattern(o)) == with_value.npos)
        with_value += (with_value.empty() ? "" : "|") + option_pattern(o);
  }
  return "# bash completion for ferry\n"
         "_ferry() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= place=0 i\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case ${COMP_WORDS[i]} in\n"
         "      --) compopt -o default; return ;;\n"
         "      " +
         with_value +
         ") ((i++)) ;;\n"
         "      -*) ;;\n"
         "      *) if [[ -z $verb ]]; then verb=${COMP_WORDS[i]}; else ((place++)); fi ;;\n"
         "    esac\n"
         "  done\n"
         "  ((place++))\n"
         "  case $verb in\n"
         "    '') COMPREPLY=($(compgen -W \"" +
         joined(names) + "\" -- \"$cur\")) ;;\n" + cases +
         "  esac\n"
         "}\n"
         "complete -F _ferry ferry\n";
}

// ---- zsh

std::string zsh_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\')
      out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_values(const option_declaration& o) {
  switch (o.kind) {
  case value_kind::file: return "_files";
  case value_kind::directory: return "_files -/";
  case value_kind::job_type: return "{compadd -- ${(f)\"$(ferry types --quiet 2>/dev/null)\"}}";
  case value_kind::job_id: return "{compadd -- ${(f)\"$(ferry list --quiet --limit 100 2>/dev/null)\"}}";
  case value_kind::group: return "{compadd -- ${(f)\"$(ferry group --quiet 2>/dev/null)\"}}";
  case value_kind::dataset: return "{compadd -- ${(f)\"$(ferry datasets --quiet 2>/dev/null)\"}}";
  case value_kind::node: return "{compadd -- ${(f)\"$(ferry nodes --quiet 2>/dev/null)\"}}";
  case value_kind::choice: return "(" + joined(o.choices) + ")";
  case value_kind::text: return o.choices.empty() ? " " : "(" + joined(o.choices) + ")";
  case value_kind::nothing:
  case value_kind::integer: return " ";
  }
  return " ";
}

std::string zsh_verb(const described_verb& d) {
  std::string specs;
  for (const option_declaration& o : d.taken.declarations()) {
    if (o.positional) {
      specs += " \\\n        " + single_quoted((o.many ? "*:" : ":") + zsh_escaped(o.value_name) + ":" + zsh_values(o));
      continue;
    }
    for (const std::string& name : {o.short_name(), o.long_name()}) {
      if (name.empty())
        continue;
      std::string spec = (o.many ? "*" : "") + name + "[" + zsh_escaped(o.help) + "]";
      if (o.kind != value_kind::nothing)
        spec += ":" + zsh_escaped(o.value_name) + ":" + zsh_values(o);
      specs += " \\\n        " + single_quoted(spec);
    }
  }
  return "      " + verb_pattern(*d.named, "|") + ")\n        _arguments -s" + specs + " ;;\n";
}

std::string zsh_script(const std::deque<described_verb>& verbs) {
  std::string described, cases;
  for (const described_verb& d : verbs) {
    described += "    " + single_quoted(zsh_escaped(std::string(d.named->name)) + ":" + std::string(d.named->summary)) + "\n";
    cases += zsh_verb(d);
  }
  return "#compdef ferry\n"
         "# zsh completion for ferry\n"
         "_ferry() {\n"
         "  local -a verbs=(\n" +
         described +
         "  )\n"
         "  if ((CURRENT == 2)); then\n"
         "    _describe verb verbs\n"
         "  else\n"
         "    local verb=${words[2]}\n"
         "    shift words\n"
         "    ((CURRENT--))\n"
         "    case $verb in\n" +
         cases +
         "    esac\n"
         "  fi\n"
         "}\n"
         "if [[ $funcstack[1] == _ferry ]]; then _ferry \"$@\"; else compdef _ferry ferry; fi\n";
}

// ---- fish

std::string fish_values(const option_declaration& o) {
  switch (o.kind) {
  case value_kind::file: return " -rF";
  case value_kind::directory: return " -xa '(__fish_complete_directories)'";
  case value_kind::job_type: return " -xa '(ferry types --quiet 2>/dev/null)'";
  case value_kind::job_id: return " -xa '(ferry list --quiet --limit 100 2>/dev/null)'";
  case value_kind::group: return " -xa '(ferry group --quiet 2>/dev/null)'";
  case value_kind::dataset: return " -xa '(ferry datasets --quiet 2>/dev/null)'";
  case value_kind::node: return " -xa '(ferry nodes --quiet 2>/dev/null)'";
  case value_kind::choice: return " -xa " + single_quoted(joined(o.choices));
  case value_kind::text: return o.choices.empty() ? " -x" : " -xa " + single_quoted(joined(o.choices));
  case value_kind::integer: return " -x";
  case value_kind::nothing: return "";
  }
  return "";
}

std::string fish_verb(const described_verb& d) {
  const std::string seen = " -n '__fish_seen_subcommand_from " + verb_pattern(*d.named, " ") + "'";
  std::string lines = "complete -c ferry -n __fish_use_subcommand -a " + std::string(d.named->name) + " -d " +
                      single_quoted(std::string(d.named->summary)) + "\n";
  for (const option_declaration& o : d.taken.declarations()) {
    if (o.positional) {
      if (o.kind == value_kind::file)
        lines += "complete -c ferry" + seen + " -F\n";
      else if (const std::string values = fish_values(o); values.find("a ") != values.npos)
        lines += "complete -c ferry" + seen + values + "\n";
      continue;
    }
    lines += "complete -c ferry" + seen;
    if (!o.short_name().empty())
      lines += " -s " + o.short_name().substr(1);
    if (!o.long_name().empty())
      lines += " -l " + o.long_name().substr(2);
    lines += fish_values(o) + " -d " + single_quoted(o.help) + "\n";
  }
  return lines;
}

std::string fish_script(const std::deque<described_verb>& verbs) {
  std::string script = "# fish completion for ferry\ncomplete -c ferry -f\n";
  for (const described_verb& d : verbs)
    script += fish_verb(d);
  return script;
}

} // namespace

result<std::string> completion_script(const std::string& shell) {
  context unused;
  bool help = false;
  const auto verbs = describe_all(unused, help);
  if (shell == "bash")
    return bash_script(verbs);
  if (shell == "zsh")
    return zsh_script(verbs);
  if (shell == "fish")
    return fish_script(verbs);
  return fail(error_code::invalid_argument, "completions exist for bash, zsh and fish, not for \"" + printable(shell) + "\"");
}

} // namespace ferry::cli
