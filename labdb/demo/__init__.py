"""The demo study: a simulated experiment whose truth is known, written as a laboratory's own files and loaded over REST.

Nothing here touches the database: the files go through the same doors as real ones.
"""
