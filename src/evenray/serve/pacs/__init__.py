"""The service beside a PACS: each new study is answered once, with a report and pictures in the study itself."""
