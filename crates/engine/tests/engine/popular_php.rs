// SPDX-License-Identifier: Apache-2.0
//! What archives, templates, formatters and updaters written in PHP do all day looks like what web
//! shells do. These are stand-ins for such code, one idiom each.

use crate::stand_ins::{ids, shipped};
use lazaret_engine::Engine;
use lazaret_model::FileType;

const IDIOMS: [(&str, &str); 9] = [
    (
        "an archive library that inflates what it reads",
        "$raw = fread($this->zip_fd, $header['compressed_size']);\n\
         $content = @gzinflate($raw);\nif ($content === false) { return PCLZIP_ERR_BAD_FORMAT; }\n\
         eval('return ' . $this->default_pre_callback . ';');",
    ),
    (
        "a formatter with callbacks",
        "$text = preg_replace_callback('/&#x([0-9a-f]+);/i', 'convert_entity', $text);\n\
         $text = preg_replace('/[^a-z0-9_\\-]/', '', strtolower($_GET['slug'] ?? ''));",
    ),
    (
        "a template engine that runs what it compiled",
        "$code = $compiler->compile($source);\nif ($this->caching) { file_put_contents($file, $code); }\n\
         eval('?>' . $code);",
    ),
    (
        "icons and fonts in base64",
        "$logo = base64_decode('R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=');\n\
         header('Content-Type: image/gif'); echo $logo;",
    ),
    (
        "an updater that calls programs",
        "exec(escapeshellcmd($phpBinary) . ' ' . escapeshellarg($script) . ' 2>&1', $output, $status);\n\
         $version = shell_exec('git describe --tags');",
    ),
    (
        "a mailer that opens a pipe",
        "$mail = @popen(sprintf('%s -oi -f%s -t', escapeshellcmd($this->Sendmail), $from), 'w');\n\
         fputs($mail, $header);",
    ),
    (
        "an upload that is checked",
        "if (!is_uploaded_file($_FILES['file']['tmp_name'])) { exit; }\n\
         move_uploaded_file($_FILES['file']['tmp_name'], $dir . '/' . sha1(random_bytes(8)) . '.png');",
    ),
    (
        "a cipher library that builds its inner loop",
        "$this->inline_crypt = eval(sprintf('return function ($_text) { %s };', $code));\n\
         $func = create_function('$a', 'return $a;');",
    ),
    (
        "a router that calls what the request names",
        "$action = $routes[$_GET['action']] ?? 'index';\ncall_user_func([$controller, $action], $_POST);\n\
         $value = unserialize($row['options'], ['allowed_classes' => false]);",
    ),
];

#[test]
fn case_19_popular_php_idioms_are_not_found() {
    let (engine, _) = Engine::load(&shipped(), &[]);
    let mut scanner = engine.scanner();
    let mut check = |what: &str, body: &str| {
        let page = format!("<?php\n/* {what} */\n{body}\n");
        let report = scanner.scan_bytes(page.as_bytes(), false).unwrap();
        assert_eq!(report.verdict.file_type, FileType::Php, "{what}");
        assert!(!report.verdict.is_found(), "{what}: {:?}", ids(&report.verdict));
    };
    for (what, body) in IDIOMS {
        check(what, body);
    }
    let all: Vec<&str> = IDIOMS.iter().map(|(_, body)| *body).collect();
    check("all of them in one file", &all.join("\n"));
}
